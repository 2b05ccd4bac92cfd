"""The runs table: columns over all runs of a project, filters, order, groups."""
