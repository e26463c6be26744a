"""Start Pullquote: `python app.py`, then open http://127.0.0.1:7860. The same as `pullquote serve`."""

from pullquote.cli import main

if __name__ == "__main__":
    main(["serve"])
