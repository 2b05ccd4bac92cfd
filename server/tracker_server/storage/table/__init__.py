"""The runs table: columns over all runs of a project, and filters, sorting and groups on them."""
