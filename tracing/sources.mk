# sources of tracing/
