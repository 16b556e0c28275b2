"""The differential test: random programs over many sessions, on TiDB itself and through the proxy to a second TiDB."""
