/* Nanoseconds libxml2 takes for each document named: octets to DOM, and DOM to octets. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

static char *octets;
static int length;
static xmlDocPtr kept;

static xmlDocPtr parse(void) {
    return xmlReadMemory(octets, length, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

static void decode(void) {
    xmlDocPtr document = parse();
    if (document == NULL) exit(2);
    xmlFreeDoc(document);
}

static void encode(void) {
    xmlChar *out = NULL;
    int size = 0;
    xmlDocDumpMemory(kept, &out, &size);
    if (out == NULL) exit(3);
    xmlFree(out);
}

static void (*const third)(void) = NULL;

static int prepare(void) { return (kept = parse()) != NULL; }
static void forget(void) { xmlFreeDoc(kept); }
static void *buffer(size_t size) { return octets = malloc(size); }
static void measured(size_t size) { length = (int)size; }
