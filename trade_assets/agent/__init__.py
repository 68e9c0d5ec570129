"""The program on the desk's feed server: `push` keeps a folder's finished files on S3, `replay`
sends a folder again by the times in its names. Nothing here parses a feed.
"""
