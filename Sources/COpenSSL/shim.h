// The part of OpenSSL 3 that Swift cannot import by itself: function-like macros, variadic functions,
// stacks, callbacks that are one line of C, and the low-level SHA-256 whose deprecation is silenced here.
// Nothing in this file decides anything; all policy is in the Swift rooms `OpenSSL` and `TLS`.

#ifndef PRINTTRAIL_COPENSSL_SHIM_H
#define PRINTTRAIL_COPENSSL_SHIM_H

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>

// MARK: SHA-256, low level. EVP's one-shot costs several times the hash itself for inputs of 300 bytes.

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static inline void pt_sha256_init(SHA256_CTX *context) { SHA256_Init(context); }
static inline void pt_sha256_update(SHA256_CTX *context, const void *bytes, size_t count) {
  if (count > 0) SHA256_Update(context, bytes, count);
}
static inline void pt_sha256_final(SHA256_CTX *context, unsigned char *digest) { SHA256_Final(digest, context); }
/// The hash of two pieces, one behind the other, with a context on the stack that is never copied.
static inline void pt_sha256_pair(const void *first, size_t first_count, const void *second, size_t second_count,
                                  unsigned char *digest) {
  SHA256_CTX context;
  SHA256_Init(&context);
  if (first_count > 0) SHA256_Update(&context, first, first_count);
  if (second_count > 0) SHA256_Update(&context, second, second_count);
  SHA256_Final(digest, &context);
}
#pragma GCC diagnostic pop

// MARK: HMAC

/// A keyed HMAC context over the digest named, or NULL. The caller frees it with EVP_MAC_CTX_free.
static inline EVP_MAC_CTX *pt_hmac_new(OSSL_LIB_CTX *library, const char *digest, const unsigned char *key, size_t count) {
  static const unsigned char nothing = 0;
  EVP_MAC *mac = EVP_MAC_fetch(library, "HMAC", NULL);
  if (mac == NULL) return NULL;
  EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
  EVP_MAC_free(mac);
  if (context == NULL) return NULL;
  OSSL_PARAM parameters[2];
  parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0);
  parameters[1] = OSSL_PARAM_construct_end();
  if (EVP_MAC_init(context, count > 0 ? key : &nothing, count, parameters) != 1) {
    EVP_MAC_CTX_free(context);
    return NULL;
  }
  return context;
}

// MARK: keys and PEM

static inline EVP_PKEY *pt_p256_generate(void) { return EVP_EC_gen("P-256"); }

/// Answers every question for a pass phrase with "none", so that an encrypted PEM fails instead of asking the terminal.
static int pt_no_passphrase(char *buffer, int size, int writing, void *user) {
  (void)buffer; (void)size; (void)writing; (void)user;
  return -1;
}
static inline EVP_PKEY *pt_pem_read_private_key(BIO *bio) {
  return PEM_read_bio_PrivateKey(bio, NULL, pt_no_passphrase, NULL);
}
static inline int pt_pem_write_private_key(BIO *bio, const EVP_PKEY *key) {
  return PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
}
static inline X509 *pt_pem_read_certificate(BIO *bio) { return PEM_read_bio_X509(bio, NULL, pt_no_passphrase, NULL); }
static inline X509_REQ *pt_pem_read_request(BIO *bio) { return PEM_read_bio_X509_REQ(bio, NULL, pt_no_passphrase, NULL); }

static inline long pt_bio_bytes(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }

static inline int pt_error_is_pem_end(unsigned long code) {
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

static inline int pt_name_print(BIO *bio, const X509_NAME *name) {
  return X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
}

// MARK: subject alternative names

static inline GENERAL_NAMES *pt_names_new(void) { return sk_GENERAL_NAME_new_null(); }
static inline void pt_names_free(GENERAL_NAMES *names) { sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free); }
static inline int pt_names_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
static inline const GENERAL_NAME *pt_names_at(const GENERAL_NAMES *names, int index) {
  return sk_GENERAL_NAME_value(names, index);
}
static inline int pt_name_type(const GENERAL_NAME *name) { return name->type; }
static inline const ASN1_STRING *pt_name_string(const GENERAL_NAME *name) {
  return name->type == GEN_DNS || name->type == GEN_URI ? name->d.ia5 : NULL;
}
/// Appends a GEN_DNS or GEN_URI name; 1 on success.
static inline int pt_names_append(GENERAL_NAMES *names, int type, const char *text, int count) {
  GENERAL_NAME *name = GENERAL_NAME_new();
  ASN1_IA5STRING *string = ASN1_IA5STRING_new();
  if (name == NULL || string == NULL || ASN1_STRING_set(string, text, count) != 1) {
    GENERAL_NAME_free(name);
    ASN1_IA5STRING_free(string);
    return 0;
  }
  GENERAL_NAME_set0_value(name, type, string);
  if (sk_GENERAL_NAME_push(names, name) > 0) return 1;
  GENERAL_NAME_free(name);
  return 0;
}
/// Adds the names as an extension request to a PKCS#10 request; 1 on success.
static inline int pt_request_add_names(X509_REQ *request, GENERAL_NAMES *names) {
  X509_EXTENSION *extension = X509V3_EXT_i2d(NID_subject_alt_name, 0, names);
  if (extension == NULL) return 0;
  STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
  int added = extensions != NULL && sk_X509_EXTENSION_push(extensions, extension) > 0;
  if (!added) X509_EXTENSION_free(extension);
  int result = added ? X509_REQ_add_extensions(request, extensions) : 0;
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  return result;
}

// MARK: TLS

static inline int pt_ssl_ctx_require_tls12(SSL_CTX *context) {
  return (int)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}
static inline void pt_ssl_ctx_set_modes(SSL_CTX *context) {
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}
/// Gives new sessions of a client to `save`, and keeps none itself.
static inline void pt_ssl_ctx_save_sessions(SSL_CTX *context, int (*save)(SSL *, SSL_SESSION *)) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, save);
}
static inline int pt_ssl_ctx_add_chain(SSL_CTX *context, X509 *certificate) {
  return (int)SSL_CTX_add1_chain_cert(context, certificate);
}
static inline int pt_ssl_set_server_name(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }
static inline int pt_chain_count(const STACK_OF(X509) *chain) { return chain == NULL ? 0 : sk_X509_num(chain); }
static inline X509 *pt_chain_at(const STACK_OF(X509) *chain, int index) { return sk_X509_value(chain, index); }
static inline STACK_OF(X509) *pt_chain_new(void) { return sk_X509_new_null(); }
/// Appends without taking a reference: the stack must not outlive the certificate.
static inline int pt_chain_append(STACK_OF(X509) *chain, X509 *certificate) { return sk_X509_push(chain, certificate) > 0; }
static inline void pt_chain_free(STACK_OF(X509) *chain) { sk_X509_free(chain); }
static inline int pt_error_reason(unsigned long code) { return ERR_GET_REASON(code); }
static inline int pt_error_is_ssl(unsigned long code) { return ERR_GET_LIB(code) == ERR_LIB_SSL; }

#endif
