"""Models as Keras 2 and the .h5 of Keras 3 describe them, turned into what Keras 3 builds."""
