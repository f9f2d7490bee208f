/** What apps without a config of their own run their tests with; this repository's is not for them. */
export default {}
