"""Tables of any make, read in blocks of rows; columns as kernels read them."""
