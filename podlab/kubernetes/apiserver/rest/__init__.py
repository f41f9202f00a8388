"""The API over HTTP, whoever serves it: paths, verbs and bodies become requests at the door; objects, lists, Tables and errors become JSON."""
