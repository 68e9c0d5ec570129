"""The push agent: the program on the desk's feed server, and the replay of a folder of files.

`PushAgent` (`agent`) is the loop: it asks `candidates` what is due, hands it to `workers`, which
read it (`files`) and upload it (`uploader`), remembering what was sent in the `journal`. `watch`
hears of changes, `replay` sends a folder again by the times in its names, `display` shows it all.

From files to S3 only: nothing here parses a feed, and nothing here knows Dagster.
"""
