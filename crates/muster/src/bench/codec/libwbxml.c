/* Nanoseconds libwbxml takes for each document named: octets to tree, tree to octets, and XML to octets. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <wbxml/wbxml.h>

/* The tree functions are exported by the library; Debian's header leaves them out. */
typedef struct WBXMLTree_s Tree;
WBXMLError wbxml_tree_from_wbxml(WB_UTINY *, WB_ULONG, WBXMLLanguage, WBXMLCharsetMIBEnum, Tree **);
WBXMLError wbxml_tree_to_wbxml(Tree *, WB_UTINY **, WB_ULONG *, WBXMLGenWBXMLParams *);
void wbxml_tree_destroy(Tree *);

static WB_UTINY *octets;
static WB_ULONG length;
static Tree *kept;
static WB_UTINY *xml;
static WB_ULONG xml_length;

static void decode(void) {
    Tree *tree = NULL;
    if (wbxml_tree_from_wbxml(octets, length, WBXML_LANG_UNKNOWN, WBXML_CHARSET_UNKNOWN, &tree) != WBXML_OK) exit(2);
    wbxml_tree_destroy(tree);
}

static void encode(void) {
    WBXMLGenWBXMLParams params = {WBXML_VERSION_12, TRUE, FALSE, FALSE};
    WB_UTINY *out = NULL;
    WB_ULONG size = 0;
    if (wbxml_tree_to_wbxml(kept, &out, &size, &params) != WBXML_OK) exit(3);
    free(out);
}

/* What the program xml2wbxml does. */
static void convert(void) {
    WBXMLGenWBXMLParams params = {WBXML_VERSION_12, TRUE, FALSE, FALSE};
    WB_UTINY *out = NULL;
    WB_ULONG size = 0;
    if (wbxml_conv_xml2wbxml_withlen(xml, xml_length, &out, &size, &params) != WBXML_OK) exit(7);
    free(out);
}

static void (*const third)(void) = convert;

static int prepare(void) {
    WBXMLGenXMLParams params = {WBXML_GEN_XML_COMPACT, WBXML_LANG_UNKNOWN, WBXML_CHARSET_UNKNOWN, 0, TRUE};
    if (wbxml_conv_wbxml2xml_withlen(octets, length, &xml, &xml_length, &params) != WBXML_OK) return 0;
    return wbxml_tree_from_wbxml(octets, length, WBXML_LANG_UNKNOWN, WBXML_CHARSET_UNKNOWN, &kept) == WBXML_OK;
}

static void forget(void) {
    wbxml_tree_destroy(kept);
    free(xml);
}
static void *buffer(size_t size) { return octets = malloc(size); }
static void measured(size_t size) { length = size; }
