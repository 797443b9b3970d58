"""Files that customers and agents send: checked by content, stored on disk, served by signed addresses."""
