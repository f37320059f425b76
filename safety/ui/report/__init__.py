"""The report page: fields as plain values, the open form, and one module a part of the page."""
