'use strict'
// Loaded before dynalite, which ends what it reads by an iterator's `return`: LevelDB's iterators
// have none, and one that is left open keeps every file that it could still read on the disk and
// in memory. Without this each Query and Scan is such a one.
const { AbstractKeyIterator, AbstractValueIterator } = require('abstract-level')

for (const iterator of [AbstractKeyIterator, AbstractValueIterator]) {
  iterator.prototype.return = function () {
    return this.close()
  }
}
