"""The commands of `trade-assets`: arguments, output, exit code. No logic here.

`main` lists them: a `<name>_command` each. The other modules say how things are shown.
"""
