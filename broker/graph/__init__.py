"""What an ONNX file holds and costs, found out by whoever is to run it, without the package onnx."""
