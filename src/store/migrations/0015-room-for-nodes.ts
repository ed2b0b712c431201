/** A node comes to run by two changes of its row, the first of which goes into its indexes: with room for both on its page the second one does not. Pages from before stay as they are until they are written anew. */
export const ROOM_FOR_NODES = `
alter table node set (fillfactor = 50);
`
