"""`python -m pocket_bokeh`, the same as `pocket-bokeh`."""

from pocket_bokeh.command import start

if __name__ == "__main__":
    start()
