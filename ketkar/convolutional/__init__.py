"""Chapter 5, Convolutional Neural Networks: convolution, pooling and the layers made of them."""
