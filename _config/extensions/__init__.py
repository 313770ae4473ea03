"""The site's own Sphinx extensions, one job each; conf.py names them."""
