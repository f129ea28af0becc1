"""The verbs of the command line, one file each: its words, its examples, and the way to its code.

A verb's code is imported when it runs, so that small verbs start fast.
"""
