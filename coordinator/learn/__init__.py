"""From a folder of pictures to a bundle and a report, without a search file of one's own."""
