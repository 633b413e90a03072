"""The durable queue, the engine process, and the service that ties them to the library. Torch-free and Qt-free."""
