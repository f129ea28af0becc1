"""TODO-render"""
