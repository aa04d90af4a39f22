/** append: grows the lists of an event on its way, of which nearly all stay at one item. */

/** The list with an item more. Made with its first item it has room for one; grown from nothing it has room for seventeen. */
export function append<T>(list: T[], item: T): T[] {
  if (list.length === 0) return [item];
  list.push(item);
  return list;
}
