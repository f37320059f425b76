"""The reading of the record: what the medical director and the auditor take out."""
