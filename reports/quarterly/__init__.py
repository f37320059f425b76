"""The quarterly quality and safety report: a folder of files that an outsider can verify."""
