"""Pullquote: ask an article a question, get the answer in the article's own words."""
