/* What libelf.a of elfutils 0.192, Debian 13's, calls and lacks: its makers left these functions in an
 * archive that is not installed. They keep the pieces that elf_getdata_rawchunk has handed out of one Elf
 * in a tree of the C library. Without locks, as libelf itself: an Elf belongs to one thread.
 */
#define _GNU_SOURCE
#include <search.h>
#include <stddef.h>

/* Begins like libelf's own, whose lock, if it has one, comes after the root. */
struct tree {
	void *root;
};

typedef int compare_nodes(const void *, const void *);

void eu_search_tree_init(struct tree *tree)
{
	tree->root = NULL;
}

void eu_search_tree_fini(struct tree *tree, void (*free_node)(void *))
{
	tdestroy(tree->root, free_node);
	tree->root = NULL;
}

void *eu_tsearch(const void *key, struct tree *tree, compare_nodes *compare)
{
	return tsearch(key, &tree->root, compare);
}

void *eu_tdelete(const void *key, struct tree *tree, compare_nodes *compare)
{
	return tdelete(key, &tree->root, compare);
}
