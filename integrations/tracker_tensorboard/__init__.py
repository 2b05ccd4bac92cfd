"""TensorBoard event files: read them, and turn them into runs (`tracker tensorboard-import`).

`reader` reads event files, `convert` says what becomes of their values, `importer` brings whole log directories into
run directories. Importing this package imports none of them.
"""
