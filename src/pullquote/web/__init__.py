"""The page, the HTTP interface and what guards them: the only rooms that know gradio and fastapi."""
