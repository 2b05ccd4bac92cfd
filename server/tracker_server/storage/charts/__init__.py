"""Line charts: the points of series, summed up in buckets on a shared x."""
