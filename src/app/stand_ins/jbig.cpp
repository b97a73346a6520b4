// In the place of jbigkit, which is under the GPL and which Debian's libtiff asks for: what libtiff calls of
// it. A TIFF that JBIG packed is refused; nobody's scanner makes them.

#include <cstddef>

namespace {
constexpr int kNotImplemented = 7 << 4;
}

extern "C" {
void jbg_dec_init(void*) {}
int jbg_dec_in(void*, unsigned char*, std::size_t, std::size_t*) { return kNotImplemented; }
unsigned char* jbg_dec_getimage(const void*, int) { return nullptr; }
unsigned long jbg_dec_getsize(const void*) { return 0; }
void jbg_dec_free(void*) {}
const char* jbg_strerror(int) { return "TIFF files packed with JBIG are not read"; }
void jbg_enc_init(void*, unsigned long, unsigned long, int, unsigned char**,
                  void (*)(unsigned char*, std::size_t, void*), void*) {}
void jbg_enc_out(void*) {}
void jbg_enc_free(void*) {}
int jbg_newlen(unsigned char*, std::size_t) { return kNotImplemented; }
}
