"""DICOM bytes to 8-bit grey."""
