"""How the weights of src/pullquote/models were made; README.md says with which commands. Not part of the package."""
