"""TODO-commands"""
