"""The windows of a stream: each is a set of Parquet files and a manifest that appears when it is whole."""
