// In the place of x265, which is under the GPL and which Debian 12's libheif asks for: an encoder that is not
// there. Alcove never encodes.

extern "C" const void* ALCOVE_X265_API(int) { return nullptr; }  // x265_api_get_NUMBER
