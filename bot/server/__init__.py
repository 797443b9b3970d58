"""The serving process: the model loaded once, without TensorFlow, then forked into workers that share its memory."""
