"""`actionbox dev`: a whole service, with its console, over one author's folder of Actions.

The folder is what counts. Its Actions are pushed into a service with a temporary database, as
`actionbox push` does it, and again at every save; what is saved in the console is written to its file.
"""
