#include "status_page.h"

// One page out of its parts, in this order.
static const unsigned char page[] = {
#embed "page/head.html"
    ,
#embed "page/style.css"
    ,
#embed "page/body.html"
    ,
#embed "page/words.js"
    ,
#embed "page/elements.js"
    ,
#embed "page/judgement.js"
    ,
#embed "page/charts.js"
    ,
#embed "page/connectors.js"
    ,
#embed "page/sections.js"
    ,
#embed "page/page.js"
    ,
#embed "page/end.html"
};

const unsigned char *status_page_bytes(void) { return page; }

size_t status_page_size(void) { return sizeof page; }
