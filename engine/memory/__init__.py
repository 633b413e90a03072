"""What a generation needs of memory and time, before it runs. Free of torch: the window forecasts with it."""
