"""The library on Milvus: one address, any number of processes. Imported only where a setting names such a library."""
