"""Other programs' files: ComfyUI workflows in and out, A1111 ``parameters``, prompt weights. Free of torch and Qt."""
