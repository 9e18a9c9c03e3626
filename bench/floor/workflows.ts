/** The workflows of the baseline's worker. */
export { floor } from './floor.ts'
export { sampleCharge, sampleOrder, sampleShipment } from './sample.ts'
