-- What a message is a part of: the header `traceparent` of W3C Trace Context.
ALTER TABLE queue ADD COLUMN trace TEXT;
