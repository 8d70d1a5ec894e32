"""What pytest does not read here: the site's own code, which needs Sphinx, and the pages that it writes."""

collect_ignore = ["conf.py", "_ext", "_members"]
