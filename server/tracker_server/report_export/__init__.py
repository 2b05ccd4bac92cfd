"""Turn a report into one file: a page that needs neither scripts nor a network, or Markdown."""
