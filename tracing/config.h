/* config.h - TRACING: 1; 0 in a kernel that is built without recorder, tracker and checks, to show
 * what they cost. Then every probe and every call of the tracker is empty and their sources are not
 * compiled; the tables stay, since the kernel keeps its own state there, and so does the console.
 */
#ifndef TRACING_CONFIG_H
#define TRACING_CONFIG_H

#ifndef TRACING
#define TRACING 1
#endif

#endif
