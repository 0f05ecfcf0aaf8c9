//! microflow makes its layers from a TensorFlow Lite file.
