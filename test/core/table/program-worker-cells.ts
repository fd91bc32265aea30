export const programWorkerCells: any = {};
