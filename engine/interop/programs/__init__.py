"""What each program that makes pictures writes into its files, read as ``foreign.Settings``."""
