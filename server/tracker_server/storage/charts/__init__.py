"""Line charts: read the points of series and aggregate them in buckets on a shared x."""
