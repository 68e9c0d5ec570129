'use strict'
// Loaded before dynalite: what LevelDB holds stays within bounds, however long it runs and however
// large the tables are.
const { AbstractKeyIterator, AbstractValueIterator } = require('abstract-level')
const { ClassicLevel } = require('classic-level')

// dynalite ends what it reads by an iterator's `return`: LevelDB's iterators have none, and one that
// is left open keeps every file that it could still read on the disk and in memory. Without this
// each Query and Scan is such a one.
for (const iterator of [AbstractKeyIterator, AbstractValueIterator]) {
  iterator.prototype.return = function () {
    return this.close()
  }
}

// Open files are mapped into memory, 2 to 4 MB each, and LevelDB's own bound is 1,000 of them: a day
// of tables would count as 2 GB of this process. It takes no smaller number than this.
const MAX_OPEN_FILES = 74
const open = ClassicLevel.prototype._open

ClassicLevel.prototype._open = function (options) {
  return open.call(this, { ...options, maxOpenFiles: MAX_OPEN_FILES })
}
