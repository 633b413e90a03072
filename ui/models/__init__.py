"""The models page: what can be had, what is here, downloads, licences, the hub's token."""
